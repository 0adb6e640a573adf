"""The AWS API: moto in process, with what moto lacks.

moto reads its settings from the environment, some of them while it is imported: so they stand here.
"""

import os

os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")  # a browser has no business with the API
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # lab.api.images has those that a lab can boot
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
