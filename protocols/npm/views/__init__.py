"""Views of the npm door, one module per thing."""
