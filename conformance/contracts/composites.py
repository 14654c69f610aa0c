"""IndexedSlices, sparse and ragged tensors."""
