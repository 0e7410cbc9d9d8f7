package connector

import (
	"context"
	"time"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/types/resource"

	"baton-northflank/benches/peer/client"
)

// users are the organization's members.
type users struct {
	northflank *client.Client
	// teams is nil where they aren't synced.
	teams *teamList
	// members are the ids of the organization's members, page by page.
	members map[string]struct{}
}

func (*users) ResourceType(context.Context) *v2.ResourceType { return userType }

func (u *users) List(ctx context.Context, _ *v2.ResourceId, options resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	page, err := u.northflank.Members(ctx, options.PageToken.Token)
	if err != nil {
		return nil, results("", page.Limits), err
	}
	rows := page.Rows
	if u.teams != nil {
		for _, member := range rows {
			u.members[member.ID] = struct{}{}
		}
		if page.Next == "" {
			outsiders, err := u.teams.outsiders(ctx, u.members)
			if err != nil {
				return nil, nil, err
			}
			rows = append(rows, outsiders...)
		}
	}
	found := make([]*v2.Resource, 0, len(rows))
	for _, member := range rows {
		user, err := userResource(member)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, user)
	}
	return found, results(page.Next, page.Limits), nil
}

func (*users) Entitlements(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

func (*users) Grants(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

func userResource(member client.Member) (*v2.Resource, error) {
	primary := primaryEmail(member.Emails)
	profile := map[string]any{"id": member.ID}
	set(profile, "name", member.Name)
	set(profile, "joined_at", member.JoinedAt)
	set(profile, "last_login_at", member.LastLogin)
	if member.IsOutsider {
		profile["organization_member"] = false
	}
	if primary != nil {
		set(profile, "email", primary.Address)
		if primary.Verified != nil {
			profile["email_verified"] = *primary.Verified
		}
	}
	status, details := v2.UserTrait_Status_STATUS_ENABLED, ""
	if member.Finalized != nil {
		profile["finalized"] = *member.Finalized
		if !*member.Finalized {
			status, details = v2.UserTrait_Status_STATUS_DISABLED, "account set-up not finished"
		}
	}
	traits := []resource.UserTraitOption{
		resource.WithUserProfile(profile),
		resource.WithUserLogin(member.ID),
		resource.WithDetailedStatus(status, details),
		resource.WithAccountType(v2.UserTrait_ACCOUNT_TYPE_HUMAN),
	}
	for _, email := range member.Emails {
		traits = append(traits, resource.WithEmail(email.Address, email.Address == primary.Address))
	}
	if joined, err := time.Parse(time.RFC3339, member.JoinedAt); err == nil {
		traits = append(traits, resource.WithCreatedAt(joined))
	}
	if loggedIn, err := time.Parse(time.RFC3339, member.LastLogin); err == nil {
		traits = append(traits, resource.WithLastLogin(loggedIn))
	}
	name := firstFilled(member.Name, firstAddress(member.Emails), member.ID)
	return resource.NewUserResource(name, userType, member.ID, traits)
}

// primaryEmail is the first verified one, else the first.
func primaryEmail(emails []client.Email) *client.Email {
	for index := range emails {
		if verified := emails[index].Verified; verified != nil && *verified {
			return &emails[index]
		}
	}
	if len(emails) == 0 {
		return nil
	}
	return &emails[0]
}

func firstAddress(emails []client.Email) string {
	if len(emails) == 0 {
		return ""
	}
	return emails[0].Address
}
