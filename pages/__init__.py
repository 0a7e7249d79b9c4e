"""One thin script for each page: filters in, a service call, a table or a chart out."""
