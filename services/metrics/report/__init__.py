"""What should a board know of a month? One HTML page that needs nothing else, to read, to print and to mail.

`months` says which months there are, `collected` asks for the numbers what the pages ask, `drawing` and
`writing` put them into pictures and words, `page` lays them out, `made` does all of it.
"""
