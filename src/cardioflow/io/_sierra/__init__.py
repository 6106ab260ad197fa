"""Parts of the reader of Philips Sierra XML."""
