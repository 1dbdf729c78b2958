"""Reports: ordered, made, shown, and given as files."""
