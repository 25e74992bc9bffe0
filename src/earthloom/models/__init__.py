"""Networks: our own with the files of their weights, and encoders that others trained. Using one needs torch."""
