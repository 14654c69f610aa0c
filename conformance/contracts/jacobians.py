"""jacobian and batch_jacobian."""
