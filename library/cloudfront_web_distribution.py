#!/usr/bin/python
"""Manage CloudFront distributions."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_web_distribution
short_description: Manage CloudFront distributions with all that they can do
description:
  - Creates, updates and deletes a CloudFront distribution, with VPC origins, origin access controls, functions and
    managed policies, check mode and diff mode.
  - A distribution is found by its tags, those that O(lookup_tags) names, and never adopted without them.
  - The options are the whole configuration. An option that is not given has its default, and an earlier setting of it
    is undone. What no option expresses stays as it is.
author: The Madang authors
options:
  id:
    description: Identifier of the distribution, instead of looking it up by its tags.
    type: str
  lookup_tags:
    description: Keys of O(tags), whose values together identify the distribution.
    type: list
    elements: str
    default: [Name]
  caller_reference:
    description: Makes the request that creates unique. The values of O(lookup_tags) by default.
    type: str
  enabled:
    description: Whether the distribution answers.
    type: bool
    default: true
  comment:
    description: What it is for. At most 128 characters.
    type: str
    default: ""
  origins:
    description: Where the content comes from. Required with O(state=present).
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: The name by which behaviours refer to the origin.
        type: str
        required: true
      domain_name:
        description: Its host name. For a VPC origin that targets an instance, the instance's private DNS name.
        type: str
        required: true
      origin_path:
        description: A path that CloudFront puts in front of the request's.
        type: str
        default: ""
      custom_headers:
        description: Headers that CloudFront adds to its requests, names and values.
        type: dict
        default: {}
      connection_attempts:
        description: How often CloudFront tries to connect.
        type: int
        default: 3
      connection_timeout:
        description: Seconds that each try takes.
        type: int
        default: 10
      origin_access_control_id:
        description: The origin access control with which requests are signed.
        type: str
        default: ""
      origin_shield_region:
        description: The region of the origin shield. None when empty.
        type: str
        default: ""
      vpc_origin_config:
        description: Reach the origin through a VPC origin.
        type: dict
        suboptions:
          vpc_origin_id: {description: The VPC origin., type: str, required: true}
          origin_read_timeout: {description: Seconds to wait for an answer., type: int, default: 30}
          origin_keepalive_timeout: {description: Seconds to keep an idle connection., type: int, default: 5}
      custom_origin_config:
        description: Reach a public web server. With neither this nor O(origins[].vpc_origin_config) it is an S3 bucket.
        type: dict
        suboptions:
          http_port: {description: The port for HTTP., type: int, default: 80}
          https_port: {description: The port for HTTPS., type: int, default: 443}
          origin_protocol_policy:
            description: How CloudFront speaks to the origin.
            type: str
            choices: [http-only, https-only, match-viewer]
            default: https-only
          origin_ssl_protocols: {description: TLS versions., type: list, elements: str, default: [TLSv1.2]}
          origin_read_timeout: {description: Seconds to wait for an answer., type: int, default: 30}
          origin_keepalive_timeout: {description: Seconds to keep an idle connection., type: int, default: 5}
  default_cache_behavior:
    description: What happens to requests that no other behaviour matches. Required with O(state=present).
    type: dict
    suboptions: &behavior_suboptions
      target_origin_id: {description: The origin's id., type: str, required: true}
      viewer_protocol_policy:
        description: What viewers may speak.
        type: str
        choices: [allow-all, https-only, redirect-to-https]
        default: redirect-to-https
      allowed_methods: {description: Methods to pass., type: list, elements: str, default: [GET, HEAD]}
      cached_methods: {description: Methods to cache., type: list, elements: str, default: [GET, HEAD]}
      compress: {description: Whether to compress answers., type: bool, default: true}
      cache_policy: {description: Name or identifier of the cache policy., type: str, default: CachingOptimized}
      origin_request_policy: {description: Name or identifier; none when empty., type: str, default: ""}
      response_headers_policy: {description: Name or identifier; none when empty., type: str, default: ""}
      function_associations:
        description: CloudFront Functions to run; published ones.
        type: list
        elements: dict
        default: []
        suboptions:
          event_type: {description: When., type: str, required: true, choices: [viewer-request, viewer-response]}
          function_arn: {description: The function., type: str, required: true}
      lambda_function_associations:
        description: Lambda@Edge functions to run.
        type: list
        elements: dict
        default: []
        suboptions:
          event_type:
            description: When.
            type: str
            required: true
            choices: [viewer-request, viewer-response, origin-request, origin-response]
          lambda_function_arn: {description: The function's version., type: str, required: true}
          include_body: {description: Whether it gets the body., type: bool, default: false}
      trusted_key_groups: {description: Whose signatures to demand., type: list, elements: str, default: []}
      realtime_log_config_arn: {description: Real-time logs., type: str, default: ""}
  cache_behaviors:
    description: What happens to requests by path; the first whose O(cache_behaviors[].path_pattern) matches wins.
    type: list
    elements: dict
    default: []
    suboptions:
      path_pattern: {description: "For example V(/api/*).", type: str, required: true}
      <<: *behavior_suboptions
  custom_error_responses:
    description: What viewers get instead of an origin's errors. They hold for B(all) behaviours.
    type: list
    elements: dict
    default: []
    suboptions:
      error_code: {description: The origin's status., type: int, required: true}
      response_page_path: {description: The page to answer with., type: str, default: ""}
      response_code: {description: The status to answer with., type: int}
      error_caching_min_ttl: {description: Seconds to cache the error., type: int, default: 10}
  default_root_object: {description: The object for C(/)., type: str, default: ""}
  aliases: {description: Host names besides CloudFront's own., type: list, elements: str, default: []}
  viewer_certificate:
    description: The certificate for O(aliases), one of the two.
    type: dict
    suboptions:
      acm_certificate_arn: {description: A certificate in ACM in us-east-1., type: str}
      iam_certificate_id: {description: A certificate in IAM., type: str}
      ssl_support_method: {description: How., type: str, choices: [sni-only, vip, static-ip], default: sni-only}
      minimum_protocol_version: {description: The oldest TLS to accept., type: str, default: TLSv1.2_2021}
  price_class:
    description: Which edges serve.
    type: str
    choices: [PriceClass_100, PriceClass_200, PriceClass_All]
    default: PriceClass_All
  http_version:
    description: The newest HTTP to speak.
    type: str
    choices: [http1.1, http2, http3, http2and3]
    default: http2
  ipv6_enabled: {description: Whether to answer over IPv6., type: bool, default: true}
  web_acl_id: {description: The WAF web ACL. None when empty., type: str, default: ""}
  logging:
    description: Standard logs to a bucket. Off when not given.
    type: dict
    suboptions:
      bucket: {description: The bucket's domain name., type: str, required: true}
      prefix: {description: What their keys begin with., type: str, default: ""}
      include_cookies: {description: Whether cookies are logged., type: bool, default: false}
  geo_restriction:
    description: Countries to serve or to refuse.
    type: dict
    suboptions:
      restriction_type: {description: Which., type: str, required: true, choices: [blacklist, whitelist, none]}
      locations: {description: Two-letter country codes., type: list, elements: str, default: []}
  additional_config:
    description: Members of DistributionConfig that no option expresses, as C(OriginGroups), in the API's own terms.
    type: dict
    default: {}
  tags: {description: "Tags, set in the call that creates.", type: dict, aliases: [resource_tags]}
  purge_tags: {description: Whether tags that O(tags) does not have are removed., type: bool, default: true}
  wait:
    description: Whether to wait until the edges serve the configuration. With O(state=absent), whether to wait until
      the distribution is disabled, and then to delete it.
    type: bool
    default: true
  wait_timeout: {description: How long to wait in seconds., type: int, default: 1800}
  state:
    description: V(absent) disables the distribution, waits until that is deployed, and deletes it.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Serve a single-page application from a private bucket, and its backend from a private subnet
  cloudfront_web_distribution:
    tags: {Name: shop, Project: shop, Environment: production}
    lookup_tags: [Project, Environment, Name]
    default_root_object: index.html
    origins:
      - id: assets
        domain_name: shop-assets.s3.ap-northeast-2.amazonaws.com
        origin_access_control_id: E327GJI25M56DG
      - id: backend
        domain_name: ip-10-0-16-10.ap-northeast-2.compute.internal
        vpc_origin_config:
          vpc_origin_id: vo_WDN5bD7xPJZkkTcOFkTUug
    default_cache_behavior:
      target_origin_id: assets
      cache_policy: CachingOptimized
      response_headers_policy: SecurityHeadersPolicy
      function_associations:
        - event_type: viewer-request
          function_arn: arn:aws:cloudfront::123456789012:function/shop-pages
    cache_behaviors:
      - path_pattern: /api/*
        target_origin_id: backend
        cache_policy: CachingDisabled
        origin_request_policy: AllViewer
        allowed_methods: [GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE]
    wait: false

- name: Disable it, wait, and delete it
  cloudfront_web_distribution:
    tags: {Name: shop, Project: shop, Environment: production}
    lookup_tags: [Project, Environment, Name]
    state: absent
"""

RETURN = r"""
distribution:
  description:
    - The distribution. Empty after V(absent), unless O(wait=false) left its deletion to a later task.
    - In check mode what only AWS can choose of a new one is V((known after creation\)).
  returned: always
  type: dict
  contains:
    id: {description: Its identifier., type: str, sample: EDFDVBD632BHDS5}
    arn: {description: "Its ARN, for a bucket policy.", type: str}
    domain_name: {description: Its host name., type: str, sample: d111111abcdef8.cloudfront.net}
    status: {description: V(InProgress) or V(Deployed)., type: str}
    distribution_config: {description: Its configuration., type: dict}
    tags: {description: Its tags., type: dict}
"""

from ansible.module_utils.aws_outcome import finish, looking_again, patient
from ansible.module_utils.cloudfront_distribution_options import ARGUMENTS
from ansible.module_utils.cloudfront_distributions import CONFLICTS, ensure_absent, ensure_present
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_if=[("state", "present", ["origins", "default_cache_behavior"])],
        required_one_of=[("id", "tags")],
    )
    client = module.client("cloudfront", retry_decorator=patient())
    ensure = ensure_present if module.params["state"] == "present" else ensure_absent
    check = module.check_mode
    finish(module, lambda: looking_again(lambda: ensure(client, module.params, check), CONFLICTS, acting=not check))


if __name__ == "__main__":
    main()
