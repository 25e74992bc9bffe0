"""Plans what is stale, does it shard by shard, and gives a summary that adds up."""
