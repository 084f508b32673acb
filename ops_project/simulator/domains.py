"""The domains whose source systems are simulated."""

SIMULATED = ("ecommerce", "marketing", "investor", "streaming", "insurance")
