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
teams = client.list.teams.all().data["teams"]
team_roles = {
    team["id"]: client.list.team_roles.all(team_id=team["id"]).data["roles"] for team in teams
}
json.dump(
    {
        "teams": teams,
        "teamMembers": {
            team["id"]: client.list.team_members.all(team_id=team["id"]).data["members"]
            for team in teams
        },
        "teamRoles": team_roles,
        "teamRoleMembers": {
            f"{team}/{role['id']}": client.list.team_role_members.all(
                team_id=team, role_id=role["id"]
            ).data["members"]
            for team, roles in team_roles.items()
            for role in roles
        },
        "tokens": {
            "": client.list.api_tokens.all().data["tokens"],
            **{
                team["id"]: client.list.api_tokens.all(team_id=team["id"]).data["tokens"]
                for team in teams
            },
        },
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
