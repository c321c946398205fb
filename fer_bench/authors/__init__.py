"""The networks that Belharbi et al. (arXiv 2402.00281) released: found, understood, and read into our own."""
