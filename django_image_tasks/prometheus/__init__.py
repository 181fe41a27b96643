"""An app that shows Prometheus how it goes (docs/reference/metrics.md, "Gauges")."""
