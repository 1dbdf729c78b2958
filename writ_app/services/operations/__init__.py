"""What those who run the site need: whether it is well, how much waits, copies of its data."""

# Where those who watch over the site ask; fixed, because their files name them too.
LIVE = "/health/live"
READY = "/health/ready"
METRICS = "/metrics"
