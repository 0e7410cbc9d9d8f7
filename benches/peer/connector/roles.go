package connector

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/types/entitlement"
	"github.com/conductorone/baton-sdk/pkg/types/grant"
	"github.com/conductorone/baton-sdk/pkg/types/resource"

	"baton-northflank/benches/peer/client"
)

const (
	assigned = "assigned"

	explicit        = "explicit"
	directoryGroups = "directory_groups"
)

// roles are the organization's roles. Members of linked directory groups hold them too.
type roles struct {
	northflank *client.Client
	groups     *groupList
}

func (*roles) ResourceType(context.Context) *v2.ResourceType { return roleType }

func (r *roles) List(ctx context.Context, _ *v2.ResourceId, options resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	page, err := r.northflank.Roles(ctx, options.PageToken.Token)
	if err != nil {
		return nil, results("", page.Limits), err
	}
	found := make([]*v2.Resource, 0, len(page.Rows))
	for _, one := range page.Rows {
		role, err := roleResource(one)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, role)
	}
	return found, results(page.Next, page.Limits), nil
}

func (*roles) Entitlements(_ context.Context, role *v2.Resource, _ resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	name := role.GetDisplayName()
	holding := entitlement.NewAssignmentEntitlement(
		onlyID(role),
		assigned,
		entitlement.WithGrantableTo(userType, groupType),
		entitlement.WithDisplayName(fmt.Sprintf("%s role", name)),
		entitlement.WithDescription(fmt.Sprintf("Holds the role %s in the Northflank organization", name)),
	)
	return []*v2.Entitlement{holding}, nil, nil
}

func (r *roles) Grants(ctx context.Context, role *v2.Resource, options resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	linked, err := r.groups.listed(ctx, linkedGroups(role))
	if err != nil {
		return nil, nil, err
	}
	page, err := r.northflank.RoleMembers(ctx, role.GetId().GetResource(), options.PageToken.Token)
	if err != nil {
		return nil, results("", page.Limits), err
	}
	grants := make([]*v2.Grant, 0, len(page.Rows))
	if options.PageToken.Token == "" {
		for _, id := range linked {
			group, err := resource.NewResourceID(groupType, id)
			if err != nil {
				return nil, nil, err
			}
			grants = append(grants, grant.NewGrant(onlyID(role), assigned, group, grant.WithAnnotation(
				&v2.GrantImmutable{},
				v2.GrantExpandable_builder{
					EntitlementIds:  []string{entitlement.NewEntitlementID(v2.Resource_builder{Id: group}.Build(), member)},
					Shallow:         true,
					ResourceTypeIds: []string{userType.GetId()},
				}.Build(),
			)))
		}
	}
	for _, row := range page.Rows {
		user, err := resource.NewResourceID(userType, row.ID)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case row.Type == explicit:
			grants = append(grants, grant.NewGrant(onlyID(role), assigned, user))
		case len(linked) == 0:
			grants = append(grants, grant.NewGrant(onlyID(role), assigned, user,
				grant.WithAnnotation(&v2.GrantImmutable{}),
				grant.WithGrantMetadata(map[string]any{"membership": row.Type}),
			))
		default:
			// The expansion of a linked group's grant has them.
		}
	}
	return grants, results(page.Next, page.Limits), nil
}

// linkedGroups reads back from the profile what Grants needs of the role.
func linkedGroups(role *v2.Resource) []string {
	values := resource.GetProfile(role).GetFields()[directoryGroups].GetListValue().GetValues()
	ids := make([]string, 0, len(values))
	for _, value := range values {
		ids = append(ids, value.GetStringValue())
	}
	return ids
}

func roleResource(role client.Role) (*v2.Resource, error) {
	profile := map[string]any{"id": role.ID, "restricted": role.Restrictions.Enabled}
	set(profile, "name", role.Name)
	set(profile, "created_at", role.CreatedAt)
	set(profile, "updated_at", role.UpdatedAt)
	if len(role.DirectoryGroups) > 0 {
		profile[directoryGroups] = list(role.DirectoryGroups)
	}
	if teams := role.Restrictions.Teams; role.Restrictions.Enabled && len(teams) > 0 {
		teams = slices.SortedFunc(slices.Values(teams), func(one, other client.Team) int {
			return strings.Compare(one.ID, other.ID)
		})
		described := make([]any, len(teams))
		for index, team := range teams {
			described[index] = describe(team)
		}
		profile["teams"] = described
	}
	options := createdAt(role.CreatedAt)
	if role.Description != "" {
		options = append(options, resource.WithDescription(role.Description))
	}
	return resource.NewRoleResource(
		firstFilled(role.Name, role.ID),
		roleType,
		role.ID,
		[]resource.RoleTraitOption{resource.WithRoleProfile(profile)},
		options...,
	)
}

func describe(team client.Team) map[string]any {
	described := map[string]any{"id": team.ID}
	if team.Projects.Enabled {
		described["project_mode"] = firstFilled(team.Projects.Mode, "in")
		described["projects"] = list(team.Projects.IDs)
	}
	return described
}
