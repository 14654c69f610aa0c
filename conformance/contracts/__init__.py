"""The contracts, a module a chapter, and the pytest module that runs them."""
