package connector

import (
	"context"
	"fmt"
	"strings"
	"sync"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/annotations"
	"github.com/conductorone/baton-sdk/pkg/types/entitlement"
	"github.com/conductorone/baton-sdk/pkg/types/grant"
	"github.com/conductorone/baton-sdk/pkg/types/resource"

	"baton-northflank/benches/peer/client"
)

var (
	teamType = v2.ResourceType_builder{
		Id:          "team",
		DisplayName: "Team",
		Traits:      []v2.ResourceType_Trait{v2.ResourceType_TRAIT_GROUP},
		Annotations: annotations.New(&v2.OptInRequired{}),
	}.Build()
	teamRoleType = v2.ResourceType_builder{
		Id:          "team-role",
		DisplayName: "Team Role",
		Traits:      []v2.ResourceType_Trait{v2.ResourceType_TRAIT_ROLE},
		Annotations: annotations.New(&v2.OptInRequired{}),
	}.Build()
)

// team is a team with all that it has.
type team struct {
	client.OrganizationTeam
	members []client.TeamMember
	roles   []client.TeamRole
	holders map[string][]client.TeamMember
}

// teamList holds the teams, which builders of three types need: it asks for them once.
type teamList struct {
	northflank *client.Client
	mutex      sync.Mutex
	known      []team
	isRead     bool
}

func (l *teamList) all(ctx context.Context) ([]team, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.isRead {
		return l.known, nil
	}
	listed, err := l.northflank.Teams(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range listed {
		full := team{OrganizationTeam: one, holders: map[string][]client.TeamMember{}}
		if full.members, err = l.northflank.TeamMembers(ctx, one.ID); err != nil {
			return nil, err
		}
		if full.roles, err = l.northflank.TeamRoles(ctx, one.ID); err != nil {
			return nil, err
		}
		for _, role := range full.roles {
			if full.holders[role.ID], err = l.northflank.TeamRoleMembers(ctx, one.ID, role.ID); err != nil {
				return nil, err
			}
		}
		l.known = append(l.known, full)
	}
	l.isRead = true
	return l.known, nil
}

// outsiders are those in teams who are none of the organization's members.
func (l *teamList) outsiders(ctx context.Context, members map[string]struct{}) ([]client.Member, error) {
	known, err := l.all(ctx)
	if err != nil {
		return nil, err
	}
	var found []client.Member
	seen := map[string]struct{}{}
	add := func(rows []client.TeamMember) {
		for _, row := range rows {
			if row.ID == nil {
				continue
			}
			_, isMember := members[*row.ID]
			_, isSeen := seen[*row.ID]
			if isMember || isSeen {
				continue
			}
			seen[*row.ID] = struct{}{}
			found = append(found, client.Member{
				ID: *row.ID, Name: row.Name, Emails: row.Emails, LastLogin: row.LastLogin,
				Finalized: row.Finalized, IsOutsider: true,
			})
		}
	}
	for _, one := range known {
		add(one.members)
		for _, role := range one.roles {
			add(one.holders[role.ID])
		}
	}
	return found, nil
}

// countWithoutID tells how many rows have no id, if any.
func countWithoutID(profile map[string]any, rows []client.TeamMember) {
	withoutID := 0
	for _, row := range rows {
		if row.ID == nil {
			withoutID++
		}
	}
	if withoutID > 0 {
		profile["members_without_id"] = withoutID
	}
}

// teams are the organization's teams.
type teams struct{ list *teamList }

func (*teams) ResourceType(context.Context) *v2.ResourceType { return teamType }

func (t *teams) List(ctx context.Context, _ *v2.ResourceId, _ resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	known, err := t.list.all(ctx)
	if err != nil {
		return nil, nil, err
	}
	found := make([]*v2.Resource, 0, len(known))
	for _, one := range known {
		profile := map[string]any{"id": one.ID}
		set(profile, "name", one.Name)
		set(profile, "uid", one.UID)
		set(profile, "created_at", one.CreatedAt)
		countWithoutID(profile, one.members)
		options := described(one.Description, one.CreatedAt)
		row, err := resource.NewGroupResource(
			firstFilled(one.Name, one.ID), teamType, one.ID,
			[]resource.GroupTraitOption{resource.WithGroupProfile(profile)}, options...,
		)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, row)
	}
	return found, nil, nil
}

func (*teams) Entitlements(_ context.Context, of *v2.Resource, _ resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	name := of.GetDisplayName()
	return []*v2.Entitlement{entitlement.NewAssignmentEntitlement(
		onlyID(of),
		member,
		entitlement.WithGrantableTo(userType),
		entitlement.WithDisplayName(fmt.Sprintf("%s team member", name)),
		entitlement.WithDescription(fmt.Sprintf("Is a member of the Northflank team %s", name)),
	)}, nil, nil
}

func (t *teams) Grants(ctx context.Context, of *v2.Resource, _ resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	known, err := t.list.all(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range known {
		if one.ID == of.GetId().GetResource() {
			grants, err := direct(of, member, one.members)
			return grants, nil, err
		}
	}
	return nil, nil, nil
}

// teamRoles are the roles of all teams.
type teamRoles struct{ list *teamList }

func (*teamRoles) ResourceType(context.Context) *v2.ResourceType { return teamRoleType }

func (t *teamRoles) List(ctx context.Context, _ *v2.ResourceId, _ resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	known, err := t.list.all(ctx)
	if err != nil {
		return nil, nil, err
	}
	var found []*v2.Resource
	for _, one := range known {
		parent, err := resource.NewResourceID(teamType, one.ID)
		if err != nil {
			return nil, nil, err
		}
		for _, role := range one.roles {
			profile := map[string]any{"id": role.ID, "team": one.ID, "restricted": role.Restrictions.Enabled}
			set(profile, "name", role.Name)
			set(profile, "created_at", role.CreatedAt)
			set(profile, "updated_at", role.UpdatedAt)
			if role.Restrictions.Enabled {
				profile["project_mode"] = firstFilled(role.Restrictions.Mode, "in")
				profile["projects"] = list(role.Restrictions.IDs)
			}
			countWithoutID(profile, one.holders[role.ID])
			options := append(described(role.Description, role.CreatedAt), resource.WithParentResourceID(parent))
			row, err := resource.NewRoleResource(
				firstFilled(one.Name, one.ID)+": "+firstFilled(role.Name, role.ID), teamRoleType, one.ID+"/"+role.ID,
				[]resource.RoleTraitOption{resource.WithRoleProfile(profile)}, options...,
			)
			if err != nil {
				return nil, nil, err
			}
			found = append(found, row)
		}
	}
	return found, nil, nil
}

func (*teamRoles) Entitlements(_ context.Context, of *v2.Resource, _ resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	name := of.GetDisplayName()
	return []*v2.Entitlement{entitlement.NewAssignmentEntitlement(
		onlyID(of),
		assigned,
		entitlement.WithGrantableTo(userType),
		entitlement.WithDisplayName(fmt.Sprintf("%s team role", name)),
		entitlement.WithDescription(fmt.Sprintf("Holds the team role %s in a Northflank team", name)),
	)}, nil, nil
}

func (t *teamRoles) Grants(ctx context.Context, of *v2.Resource, _ resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	known, err := t.list.all(ctx)
	if err != nil {
		return nil, nil, err
	}
	teamID, roleID, _ := strings.Cut(of.GetId().GetResource(), "/")
	for _, one := range known {
		if one.ID == teamID {
			grants, err := direct(of, assigned, one.holders[roleID])
			return grants, nil, err
		}
	}
	return nil, nil, nil
}

// direct grants to everybody who has an id.
func direct(of *v2.Resource, slug string, rows []client.TeamMember) ([]*v2.Grant, error) {
	var grants []*v2.Grant
	for _, row := range rows {
		if row.ID == nil {
			continue
		}
		user, err := resource.NewResourceID(userType, *row.ID)
		if err != nil {
			return nil, err
		}
		grants = append(grants, grant.NewGrant(onlyID(of), slug, user))
	}
	return grants, nil
}

func described(description, created string) []resource.ResourceOption {
	options := createdAt(created)
	if description != "" {
		options = append(options, resource.WithDescription(description))
	}
	return options
}
