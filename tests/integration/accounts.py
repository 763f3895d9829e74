# SPDX-License-Identifier: Apache-2.0
"""Users, roles, privileges and databases of Milvus, made directly as root."""
import base64

import grpc
from pymilvus.grpc_gen import milvus_pb2

from messages import checked
from waiting import eventually


def encoded(password):
    return base64.b64encode(password.encode()).decode()


def drop_user(direct, user):
    checked(direct.call("DeleteCredential", milvus_pb2.DeleteCredentialRequest(username=user)))


def make_user(direct, user, password):
    """Anew, if it was there."""
    drop_user(direct, user)
    request = milvus_pb2.CreateCredentialRequest(username=user, password=encoded(password))
    checked(direct.call("CreateCredential", request))


def change_password(direct, user, before, after):
    request = milvus_pb2.UpdateCredentialRequest(username=user, oldPassword=encoded(before), newPassword=encoded(after))
    checked(direct.call("UpdateCredential", request))


def make_administrator(direct, user):
    """Of all rights."""
    add_to_role(direct, "admin", user)


def add_to_role(direct, role, user):
    request = milvus_pb2.OperateUserRoleRequest(username=user, role_name=role, type=milvus_pb2.AddUserToRole)
    checked(direct.call("OperateUserRole", request))


def make_role(direct, role, user):
    entity = milvus_pb2.RoleEntity(name=role)
    checked(direct.call("CreateRole", milvus_pb2.CreateRoleRequest(entity=entity)))
    add_to_role(direct, role, user)


def operate(direct, operation, role, privilege, kind, database):
    entity = milvus_pb2.GrantEntity(
        role=milvus_pb2.RoleEntity(name=role),
        object=milvus_pb2.ObjectEntity(name=kind),
        object_name="*",
        grantor=milvus_pb2.GrantorEntity(privilege=milvus_pb2.PrivilegeEntity(name=privilege)),
        db_name=database,
    )
    request = milvus_pb2.OperatePrivilegeRequest(entity=entity, type=operation)
    checked(direct.call("OperatePrivilege", request))


def grant(direct, role, privilege, kind="Collection", database="default"):
    """A privilege on all objects of a kind (Collection, Global) in a database."""
    operate(direct, milvus_pb2.Grant, role, privilege, kind, database)


def revoke(direct, role, privilege, kind="Collection", database="default"):
    """The same, taken away."""
    operate(direct, milvus_pb2.Revoke, role, privilege, kind, database)


def wait_until_allowed(direct, method, message):
    """Milvus tells its proxy of a privilege some time after it was granted."""

    def is_allowed():
        try:
            return checked(direct.call(method, message))
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.PERMISSION_DENIED, error
            return None

    eventually(is_allowed, f"{method} is allowed")


def make_database(direct, database):
    checked(direct.call("CreateDatabase", milvus_pb2.CreateDatabaseRequest(db_name=database)))


def collections(direct, database):
    """The names of a database's collections."""
    request = milvus_pb2.ShowCollectionsRequest(db_name=database)
    return set(checked(direct.call("ShowCollections", request)).collection_names)
