# Generated from _async/__init__.py; do not edit.
# ruff: noqa
