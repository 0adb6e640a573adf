#!/usr/bin/python
"""Tell which releases of a site a bucket keeps."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site_info
short_description: Tell which releases of a site a bucket keeps
description:
  - Reads the record that M(s3_site) keeps in the bucket, for example to choose what to roll back to.
author: The Madang authors
requirements:
  - obstore >= 0.8
extends_documentation_fragment:
  - s3_site
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Ask which releases there are
  s3_site_info:
    bucket: shop-frontend
  register: site

- name: Go back to the one before
  s3_site:
    bucket: shop-frontend
    state: rolled_back
    release: "{{ site.previous }}"
  when: site.previous
"""

RETURN = r"""
current:
  description: The release that visitors see. Empty when there is none.
  returned: success
  type: str
  sample: 20261122T203808Z-5f0c33d1
previous:
  description: The release that was current before it, if it is still kept. Else empty.
  returned: success
  type: str
releases:
  description: The releases that can be rolled back to, the oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The release's name.
      type: str
    published:
      description: When it was first published.
      type: str
      sample: "2026-11-22T20:38:08Z"
    superseded:
      description: Since when it is not current any more. Empty for the current one.
      type: str
    files:
      description: The number of its files.
      type: int
    bytes:
      description: The size of its files.
      type: int
last_switch:
  description: The invalidation of the last publish or rollback, as M(s3_site) returned it.
  returned: success
  type: dict
"""

import time

from ansible.module_utils.s3_site_access import SITE, places_of, reach
from ansible.module_utils.s3_site_build import SiteError
from ansible.module_utils.s3_site_publish import read_bucket
from ansible.module_utils.s3_site_report import releases
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=SITE, supports_check_mode=True)
    try:
        record = read_bucket(reach(module), places_of(module.params)).record
    except SiteError as error:
        module.fail_json(msg=str(error))
    answer = releases(record, module.params["retention_days"], int(time.time()))
    module.exit_json(changed=False, **answer)


if __name__ == "__main__":
    main()
