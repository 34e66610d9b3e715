"""What the package `capture` watches in a framework: where parts are made, when training starts."""
