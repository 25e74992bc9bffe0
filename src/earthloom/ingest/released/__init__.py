"""What others have released: captions with URLs, tars, tables and folders of pictures, each module one format."""
