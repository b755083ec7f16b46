"""What several metrics and pictures share: colour, luma, areas, the change map. Arrays in, arrays out; no metric."""
