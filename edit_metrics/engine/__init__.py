"""From a manifest to a score table: plan, shard, resume; locally or on Ray."""
