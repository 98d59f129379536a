"""The server of one person on JupyterHub: copy the lessons into their home, then run Jupyter.

It ends like `jupyterhub-singleuser`, because it is that program.
"""

import sys

# jsonschema would load this grammar for a check that nothing here needs. It takes 14 MB of each server.
sys.modules["rfc3987_syntax"] = None

from jupyterhub.singleuser import main  # noqa: E402

from lottery_course.copies import copy_notebooks  # noqa: E402

copy_notebooks()
main()
