"""In-process: requests are answered inside the HTTP client, without a socket."""
