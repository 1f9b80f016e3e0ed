"""What the programs of this folder share: the data, a process of one's own, and tables."""

import os

# OpenMP reads this when it is loaded, which is later than here: other programs share the processors.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
