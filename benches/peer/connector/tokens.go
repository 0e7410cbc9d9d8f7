package connector

import (
	"context"
	"strings"
	"time"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/annotations"
	"github.com/conductorone/baton-sdk/pkg/types/resource"
	"google.golang.org/protobuf/types/known/structpb"

	"baton-northflank/benches/peer/client"
)

var tokenType = v2.ResourceType_builder{
	Id:          "api-token",
	DisplayName: "API Token",
	Traits:      []v2.ResourceType_Trait{v2.ResourceType_TRAIT_SECRET},
	Annotations: annotations.New(&v2.SkipEntitlementsAndGrants{}),
}.Build()

// organization stands where a team's id would, of the organization's own tokens.
const organization = "@organization"

// tokens are the API tokens of the organization and its teams.
type tokens struct {
	northflank *client.Client
	// teams is nil where they aren't synced.
	teams *teamList
}

func (*tokens) ResourceType(context.Context) *v2.ResourceType { return tokenType }

func (t *tokens) List(ctx context.Context, _ *v2.ResourceId, _ resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	creators, err := t.creators(ctx)
	if err != nil {
		return nil, nil, err
	}
	listed, err := t.northflank.Tokens(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, err := tokenResources(organization, listed, nil, creators)
	if err != nil {
		return nil, nil, err
	}
	owners, err := t.northflank.Teams(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, owner := range owners {
		if listed, err = t.northflank.TeamTokens(ctx, owner.ID); err != nil {
			return nil, nil, err
		}
		var parent *v2.ResourceId
		if t.teams != nil {
			if parent, err = resource.NewResourceID(teamType, owner.ID); err != nil {
				return nil, nil, err
			}
		}
		rows, err := tokenResources(owner.ID, listed, parent, creators)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, rows...)
	}
	return found, nil, nil
}

func (*tokens) Entitlements(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

func (*tokens) Grants(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

// creators are the users by the addresses that they have shown to own, in lower case; nil where
// several have.
func (t *tokens) creators(ctx context.Context) (map[string]*v2.ResourceId, error) {
	people, err := t.northflank.AllMembers(ctx)
	if err != nil {
		return nil, err
	}
	if t.teams != nil {
		members := make(map[string]struct{}, len(people))
		for _, member := range people {
			members[member.ID] = struct{}{}
		}
		outsiders, err := t.teams.outsiders(ctx, members)
		if err != nil {
			return nil, err
		}
		people = append(people, outsiders...)
	}
	creators := map[string]*v2.ResourceId{}
	for _, person := range people {
		user, err := resource.NewResourceID(userType, person.ID)
		if err != nil {
			return nil, err
		}
		for _, email := range person.Emails {
			if email.Verified == nil || !*email.Verified {
				continue
			}
			address := strings.ToLower(email.Address)
			if other, isKnown := creators[address]; isKnown && other.GetResource() != person.ID {
				creators[address] = nil
				continue
			}
			creators[address] = user
		}
	}
	return creators, nil
}

// tokenResources are those of an owner's tokens that can be used.
func tokenResources(owner string, listed []client.APIToken, parent *v2.ResourceId, creators map[string]*v2.ResourceId) ([]*v2.Resource, error) {
	var found []*v2.Resource
	for _, token := range listed {
		if token.Revoked || (token.Active != nil && !*token.Active) {
			continue
		}
		profile := map[string]any{"id": token.ID, "owner": "organization"}
		if owner != organization {
			profile["owner"], profile["team"] = "team", owner
		}
		set(profile, "name", token.Name)
		set(profile, "role_id", token.Role.ID)
		set(profile, "role_name", token.Role.Name)
		set(profile, "role_type", token.Role.Type)
		set(profile, "creator_email", token.CreatorEmail)
		set(profile, "created_at", token.CreatedAt)
		set(profile, "expires_at", token.ExpiresAt)
		set(profile, "last_used_at", token.LastUsedAt)
		facts, err := structpb.NewStruct(profile)
		if err != nil {
			return nil, err
		}
		traits := []resource.SecretTraitOption{func(trait *v2.SecretTrait) error {
			trait.SetProfile(facts)
			return nil
		}}
		if created, err := time.Parse(time.RFC3339, token.CreatedAt); err == nil {
			traits = append(traits, resource.WithSecretCreatedAt(created))
		}
		if expires, err := time.Parse(time.RFC3339, token.ExpiresAt); err == nil {
			traits = append(traits, resource.WithSecretExpiresAt(expires))
		}
		if used, err := time.Parse(time.RFC3339, token.LastUsedAt); err == nil {
			traits = append(traits, resource.WithSecretLastUsedAt(used))
		}
		if creator := creators[strings.ToLower(token.CreatorEmail)]; creator != nil {
			traits = append(traits, resource.WithSecretCreatedByID(creator))
		}
		options := described(token.Description, token.CreatedAt)
		if parent != nil {
			options = append(options, resource.WithParentResourceID(parent))
		}
		name := firstFilled(token.Name, token.ID)
		row, err := resource.NewSecretResource(name, tokenType, owner+"/"+token.ID, traits, options...)
		if err != nil {
			return nil, err
		}
		found = append(found, row)
	}
	return found, nil
}
