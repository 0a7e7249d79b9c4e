"""The only room that imports stripe: one account over HTTP, paced, its answers raw and its errors ours."""
