"""Lists an organization with Northflank's own client and prints it as one JSON object:

    python list.py ORIGIN TOKEN

Any error of the client's ends the run with a non-zero code.
"""

import json
import sys

from northflank import ApiClient

origin, token = sys.argv[1:]
client = ApiClient(api_token=token, base_url=origin)
members = client.list.org_members.all().data["members"]
roles = client.list.org_roles.all().data["roles"]
groups = client.get.org_directory_groups().data["directoryGroups"]
json.dump(
    {
        "auth": client.get.auth().data,
        "members": members,
        "roles": roles,
        "groups": groups,
        "roleMembers": {
            role["id"]: client.list.org_role_members.all(role_id=role["id"]).data["members"]
            for role in roles
        },
        "groupMembers": {
            group["id"]: client.list.org_directory_group_members.all(
                group_id=group["id"]
            ).data["members"]
            for group in groups
        },
    },
    sys.stdout,
)
