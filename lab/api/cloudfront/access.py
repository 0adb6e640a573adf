"""Origin access controls."""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult

from lab.api.cloudfront.calls import Base
from lab.api.cloudfront.errors import fail
from lab.api.cloudfront.store import LOCATION, AccessControl, Json, check_match, listing

_ALLOWED = {
    "SigningProtocol": ("sigv4",),
    "SigningBehavior": ("always", "never", "no-override"),
    "OriginAccessControlOriginType": ("s3", "mediastore", "mediapackagev2", "lambda"),
}


class AccessControlCalls(Base):
    """CreateOriginAccessControl, Get…, List…, Update…, Delete…."""

    def create_origin_access_control(self) -> ActionResult:
        wanted = self._checked_control(self._get_param("OriginAccessControlConfig"), None)
        control = AccessControl(config=wanted)
        self.backend.lab_access_controls[control.id] = control
        return self._control_answer(control, location=True)

    def get_origin_access_control(self) -> ActionResult:
        return self._control_answer(self._control())

    def get_origin_access_control_config(self) -> ActionResult:
        control = self._control()
        return ActionResult({"OriginAccessControlConfig": control.config, "ETag": control.etag})

    def list_origin_access_controls(self) -> ActionResult:
        items = [{"Id": control.id, **control.config} for control in self.backend.lab_access_controls.values()]
        return ActionResult({"OriginAccessControlList": listing(items)})

    def update_origin_access_control(self) -> ActionResult:
        control = self._control()
        check_match(control.etag, self._get_param("IfMatch"))
        control.config = self._checked_control(self._get_param("OriginAccessControlConfig"), control)
        control.touch()
        return self._control_answer(control)

    def delete_origin_access_control(self) -> ActionResult:
        control = self._control()
        check_match(control.etag, self._get_param("IfMatch"))
        if self.backend.users_of_access_control(control.id):
            fail(
                "OriginAccessControlInUse",
                "Cannot delete the origin access control because it's in use by one or more distributions.",
            )
        del self.backend.lab_access_controls[control.id]
        return EmptyResult()

    def _control(self) -> AccessControl:
        control = self.backend.lab_access_controls.get(self._get_param("Id"))
        if control is None:
            fail("NoSuchOriginAccessControl", "The specified origin access control does not exist.")
        return control

    def _checked_control(self, given: Json, own: AccessControl | None) -> Json:
        wanted = {"Description": "", **given}
        if not 1 <= len(wanted["Name"]) <= 64:
            fail("InvalidArgument", "The parameter Name must have from 1 to 64 characters.")
        for name, allowed in _ALLOWED.items():
            if wanted.get(name) not in allowed:
                fail("InvalidArgument", f"The parameter {name} must be one of {', '.join(allowed)}.")
        for known in self.backend.lab_access_controls.values():
            if known is not own and known.config["Name"] == wanted["Name"]:
                fail("OriginAccessControlAlreadyExists", "An origin access control with this name already exists.")
        return wanted

    def _control_answer(self, control: AccessControl, *, location: bool = False) -> ActionResult:
        answer: Json = {
            "ETag": control.etag,
            "OriginAccessControl": {"Id": control.id, "OriginAccessControlConfig": control.config},
        }
        if location:
            answer["Location"] = f"{LOCATION}/origin-access-control/{control.id}"
        return ActionResult(answer)
