"""The dashboard and the API: FastAPI, Jinja2, own styles and own scripts, served by the engine's own process.

`app` puts it together. `pages` and `api` hold one module for each page and resource; both answer from `queries`, so
that they say the same. `access` decides who may do what.
"""
