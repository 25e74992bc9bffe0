"""Translation: networks that make pictures of one look out of pictures of another, learnt without pairs."""
