"""Print the marks that can run here: without a Chromium its tests are deselected, but never in CI."""

import os
import shutil

HAS_BROWSER = bool(os.environ.get("CI") or shutil.which("chromium") or shutil.which("google-chrome"))

if __name__ == "__main__":
    print("not aws" if HAS_BROWSER else "not aws and not browser")
