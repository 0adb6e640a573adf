"""Options that modules of a published site share, documented once."""

from __future__ import annotations


class ModuleDocFragment:
    """What ``extends_documentation_fragment: s3_site`` adds."""

    DOCUMENTATION = r"""
options:
  bucket:
    description: The name of the bucket.
    type: str
    required: true
  prefix:
    description: Where in the bucket the site stands, for example C(shop/). CloudFront's origin path is the same.
    type: str
    default: ""
  record_prefix:
    description: Where in the bucket, below O(prefix), the releases are recorded.
    type: str
    default: .releases/
  retention_days:
    description: How long files and releases are kept, counted from when they were last current. At least 1.
    type: int
    default: 30
  required_tags:
    description: Tags that the bucket must have. Without them the module refuses, before it changes anything.
    type: dict
    default: {}
"""
