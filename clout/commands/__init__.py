"""The commands of `clout`, by what they are about. They import what they need, so that help comes at once."""
