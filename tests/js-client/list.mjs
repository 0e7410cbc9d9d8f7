// Lists an organization with Northflank's own client and prints it as one JSON object:
//   node list.mjs ORIGIN TOKEN
// Any error of the client's ends the run with a non-zero code.
import { ApiClient, ApiClientInMemoryContextProvider } from '@northflank/js-client';

const [host, token] = process.argv.slice(2);
const contexts = new ApiClientInMemoryContextProvider();
await contexts.addContext({ name: 'fake', token, host });
const client = new ApiClient(contexts, { throwErrorOnHttpErrorCode: true });

async function all(endpoint, key, options) {
  const answer = await endpoint(options);
  if (answer.error) throw new Error(JSON.stringify(answer.error));
  return answer.data[key];
}

const members = await all(client.list.orgMembers.all, 'members', {});
const roles = await all(client.list.orgRoles.all, 'roles', {});
const groups = await all((options) => client.get.orgDirectoryGroups(options), 'directoryGroups', {});
const roleMembers = {};
for (const { id: roleId } of roles) {
  roleMembers[roleId] = await all(client.list.orgRoleMembers.all, 'members', {
    parameters: { roleId },
  });
}
const groupMembers = {};
for (const { id: groupId } of groups) {
  groupMembers[groupId] = await all(client.list.orgDirectoryGroupMembers.all, 'members', {
    parameters: { groupId },
  });
}
const teams = await all(client.list.teams.all, 'teams', {});
const [teamMembers, teamRoles, teamRoleMembers] = [{}, {}, {}];
for (const { id: teamId } of teams) {
  const parameters = { teamId };
  teamMembers[teamId] = await all(client.list.teamMembers.all, 'members', { parameters });
  teamRoles[teamId] = await all(client.list.teamRoles.all, 'roles', { parameters });
  for (const { id: roleId } of teamRoles[teamId]) {
    teamRoleMembers[`${teamId}/${roleId}`] = await all(client.list.teamRoleMembers.all, 'members', {
      parameters: { teamId, roleId },
    });
  }
}
process.stdout.write(
  JSON.stringify({
    members,
    roles,
    groups,
    roleMembers,
    groupMembers,
    teams,
    teamMembers,
    teamRoles,
    teamRoleMembers,
  }),
);
