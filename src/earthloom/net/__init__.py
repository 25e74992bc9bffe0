"""The web: one polite client for downloads, JSON and byte ranges; refuses private networks, heeds robots.txt."""
