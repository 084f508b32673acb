"""The domains that have a simulated source."""

SIMULATED = ("ecommerce", "marketing", "investor", "streaming", "insurance")
