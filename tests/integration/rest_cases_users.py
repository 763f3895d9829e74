# SPDX-License-Identifier: Apache-2.0
"""Cases of routes about users, roles and resource groups, which Milvus 2.3.5 has."""
import contextlib

from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from rest_cases import case
from rest_place import same_outcome

MILVUS = "milvus"
PASSWORDS = ["First-1-é", "Second-2"]
SEARCH = {"objectType": "Collection", "objectName": "books", "privilege": "Search"}


def can_log_in(place, password):
    """As the user of this test."""
    with contextlib.suppress(MilvusException):
        MilvusClient(f"unix:{place.server.socket}", token=f"{place.name}:{password}", dedicated=True).close()
        return True
    return False


def user_of(place):
    place.name = place.name[:30]
    place.client.create_user(place.name, PASSWORDS[0])
    return place.name


def privileges(place):
    return place.client.describe_role(place.name)["privileges"]


def role_of(place):
    place.client.create_role(place.name)
    return place.name


def forget(place):
    """The user and the role of a case: Milvus takes ten roles, and drops none that has privileges."""
    if place.name in place.client.list_users():
        place.client.drop_user(place.name)
    if place.name not in place.client.list_roles():
        return
    for known in privileges(place):
        place.client.revoke_privilege(place.name, known["object_type"], known["privilege"], known["object_name"])
    place.client.drop_role(place.name)


@case("users/list", MILVUS)
def users_list(place):
    user_of(place)
    assert sorted(place.call("users/list")) == sorted(place.client.list_users())


@case("users/describe", MILVUS)
def users_describe(place):
    place.client.grant_role(user_of(place), role_of(place))
    assert place.call("users/describe", userName=place.name) == [place.name]


@case("users/create", MILVUS)
def users_create(place):
    place.name = place.name[:30]
    assert place.call("users/create", userName=place.name, password=PASSWORDS[0]) == {}
    assert can_log_in(place, PASSWORDS[0])


@case("users/update_password", MILVUS)
def users_update_password(place):
    old, new = PASSWORDS
    assert place.call("users/update_password", userName=user_of(place), password=old, newPassword=new) == {}
    assert (can_log_in(place, old), can_log_in(place, new)) == (False, True)


@case("users/drop", MILVUS)
def users_drop(place):
    assert place.call("users/drop", userName=user_of(place)) == {}
    assert place.name not in place.client.list_users()


@case("users/grant_role", MILVUS)
def users_grant_role(place):
    assert place.call("users/grant_role", userName=user_of(place), roleName=role_of(place)) == {}
    assert place.client.describe_user(place.name)["roles"] == (place.name,)


@case("users/revoke_role", MILVUS)
def users_revoke_role(place):
    place.client.grant_role(user_of(place), role_of(place))
    assert place.call("users/revoke_role", userName=place.name, roleName=place.name) == {}
    assert not place.client.describe_user(place.name)["roles"]


@case("roles/list", MILVUS)
def roles_list(place):
    role_of(place)
    assert sorted(place.call("roles/list")) == sorted(place.client.list_roles())


@case("roles/create", MILVUS)
def roles_create(place):
    assert place.call("roles/create", roleName=place.name) == {}
    assert place.name in place.client.list_roles()


@case("roles/drop", MILVUS)
def roles_drop(place):
    assert place.call("roles/drop", roleName=role_of(place)) == {}
    assert place.name not in place.client.list_roles()


@case("roles/describe", MILVUS)
def roles_describe(place):
    place.client.grant_privilege(role_of(place), "Collection", "Search", "books")
    [told] = place.call("roles/describe", roleName=place.name)
    wanted = {"dbName": "default", "grantor": "root", **SEARCH}
    assert told == wanted


@case("roles/grant_privilege", MILVUS)
def roles_grant_privilege(place):
    assert place.call("roles/grant_privilege", roleName=role_of(place), **SEARCH) == {}
    [known] = privileges(place)
    assert (known["object_type"], known["object_name"], known["privilege"]) == ("Collection", "books", "Search")


@case("roles/revoke_privilege", MILVUS)
def roles_revoke_privilege(place):
    place.client.grant_privilege(role_of(place), "Collection", "Search", "books")
    assert place.call("roles/revoke_privilege", roleName=place.name, **SEARCH) == {}
    assert not privileges(place)




@case("resource_groups/list", MILVUS)
def resource_groups_list(place):
    assert place.call("resource_groups/list") == list(place.client.list_resource_groups())


@contextlib.contextmanager
def resource_group(place):
    place.client.create_resource_group(place.name)
    yield place.name
    place.client.drop_resource_group(place.name)


@case("resource_groups/create", MILVUS)
def resource_groups_create(place):
    assert place.call("resource_groups/create", name=place.name) == {}
    assert place.name in place.client.list_resource_groups()
    place.client.drop_resource_group(place.name)


@case("resource_groups/drop", MILVUS)
def resource_groups_drop(place):
    place.client.create_resource_group(place.name)
    assert place.call("resource_groups/drop", name=place.name) == {}
    assert place.name not in place.client.list_resource_groups()


@case("resource_groups/describe", MILVUS)
def resource_groups_describe(place):
    with resource_group(place) as name:
        told, known = place.call("resource_groups/describe", name=name), place.client.describe_resource_group(name)
    assert (told["name"], told["capacity"]) == (known.name, known.capacity)
    assert told["num_available_node"] == known.num_available_node


@case("resource_groups/transfer_replica", MILVUS)
def resource_groups_transfer_replica(place):
    """There is but one node, so there is none to transfer."""
    place.create()
    with resource_group(place) as name:
        default = "__default_resource_group"
        answer = place.ask("resource_groups/transfer_replica", sourceRgName=default, targetRgName=name, replicaNum=1)
        same_outcome(answer, lambda: place.client.transfer_replica(default, name, place.name, 1))
