"""Pure metrics: arrays and features in, a measurement out. One file a dimension."""
