"""Bundles as an HTTP service: ``cardioflow serve``, or ``serve.app.create_app`` for your own server."""
