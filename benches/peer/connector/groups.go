package connector

import (
	"context"
	"fmt"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/types/entitlement"
	"github.com/conductorone/baton-sdk/pkg/types/grant"
	"github.com/conductorone/baton-sdk/pkg/types/resource"

	"baton-northflank/benches/peer/client"
)

const member = "member"

// groups are directory groups. Who is in them is up to the identity provider.
type groups struct {
	northflank *client.Client
	groups     *groupList
}

func (*groups) ResourceType(context.Context) *v2.ResourceType { return groupType }

func (g *groups) List(ctx context.Context, _ *v2.ResourceId, _ resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	known, err := g.groups.all(ctx)
	if err != nil {
		return nil, nil, err
	}
	found := make([]*v2.Resource, 0, len(known))
	for _, one := range known {
		group, err := groupResource(one)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, group)
	}
	return found, nil, nil
}

func (*groups) Entitlements(_ context.Context, group *v2.Resource, _ resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	name := group.GetDisplayName()
	membership := entitlement.NewAssignmentEntitlement(
		onlyID(group),
		member,
		entitlement.WithGrantableTo(userType),
		entitlement.WithDisplayName(fmt.Sprintf("%s group member", name)),
		entitlement.WithDescription(fmt.Sprintf("Is a member of the directory group %s, through the identity provider", name)),
		entitlement.WithAnnotation(&v2.EntitlementImmutable{}),
	)
	return []*v2.Entitlement{membership}, nil, nil
}

func (g *groups) Grants(ctx context.Context, group *v2.Resource, options resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	page, err := g.northflank.GroupMembers(ctx, group.GetId().GetResource(), options.PageToken.Token)
	if err != nil {
		return nil, results("", page.Limits), err
	}
	grants := make([]*v2.Grant, 0, len(page.Rows))
	for _, row := range page.Rows {
		if row.ID == nil {
			// Nobody with an account yet.
			continue
		}
		user, err := resource.NewResourceID(userType, *row.ID)
		if err != nil {
			return nil, nil, err
		}
		grants = append(grants, grant.NewGrant(onlyID(group), member, user, grant.WithAnnotation(&v2.GrantImmutable{})))
	}
	return grants, results(page.Next, page.Limits), nil
}

func groupResource(group client.Group) (*v2.Resource, error) {
	profile := map[string]any{"id": group.ID}
	set(profile, "name", group.Name)
	set(profile, "idp_id", group.IdpID)
	set(profile, "created_at", group.CreatedAt)
	set(profile, "updated_at", group.UpdatedAt)
	return resource.NewGroupResource(
		firstFilled(group.Name, group.IdpID, group.ID),
		groupType,
		group.ID,
		[]resource.GroupTraitOption{resource.WithGroupProfile(profile)},
		createdAt(group.CreatedAt)...,
	)
}
