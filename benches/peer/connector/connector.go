// Package connector says who has access to a Northflank organization.
package connector

import (
	"context"
	"slices"
	"sync"
	"time"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/annotations"
	"github.com/conductorone/baton-sdk/pkg/connectorbuilder"
	"github.com/conductorone/baton-sdk/pkg/types/resource"

	"baton-northflank/benches/peer/client"
)

var (
	userType = v2.ResourceType_builder{
		Id:          "user",
		DisplayName: "User",
		Traits:      []v2.ResourceType_Trait{v2.ResourceType_TRAIT_USER},
		Annotations: annotations.New(&v2.SkipEntitlementsAndGrants{}),
	}.Build()
	roleType = v2.ResourceType_builder{
		Id:          "role",
		DisplayName: "Role",
		Traits:      []v2.ResourceType_Trait{v2.ResourceType_TRAIT_ROLE},
	}.Build()
	groupType = v2.ResourceType_builder{
		Id:          "group",
		DisplayName: "Group",
		Traits:      []v2.ResourceType_Trait{v2.ResourceType_TRAIT_GROUP},
	}.Build()
)

// Connector reads one organization.
type Connector struct {
	northflank *client.Client
	groups     *groupList
	// teams is nil where they aren't synced.
	teams       *teamList
	withSecrets bool
}

// New makes a connector.
func New(northflank *client.Client, withTeams, withSecrets bool) *Connector {
	made := &Connector{northflank: northflank, groups: &groupList{northflank: northflank}, withSecrets: withSecrets}
	if withTeams {
		made.teams = &teamList{northflank: northflank}
	}
	return made
}

// Metadata says what the connector is.
func (c *Connector) Metadata(context.Context) (*v2.ConnectorMetadata, error) {
	return v2.ConnectorMetadata_builder{
		DisplayName: "Northflank",
		Description: "Syncs the members, roles and directory groups of a Northflank organization",
	}.Build(), nil
}

// Validate checks the token.
func (c *Connector) Validate(ctx context.Context) (annotations.Annotations, error) {
	return nil, c.northflank.Check(ctx)
}

// ResourceSyncers has one for each resource type.
func (c *Connector) ResourceSyncers(context.Context) []connectorbuilder.ResourceSyncerV2 {
	syncers := []connectorbuilder.ResourceSyncerV2{
		&users{northflank: c.northflank, teams: c.teams, members: map[string]struct{}{}},
		&roles{northflank: c.northflank, groups: c.groups},
		&groups{northflank: c.northflank, groups: c.groups},
	}
	if c.teams != nil {
		syncers = append(syncers, &teams{list: c.teams}, &teamRoles{list: c.teams})
	}
	if c.withSecrets {
		syncers = append(syncers, &tokens{northflank: c.northflank, teams: c.teams})
	}
	return syncers
}

// groupList holds the directory groups, which their own builder and that of roles need: it
// asks for them once.
type groupList struct {
	northflank *client.Client
	mutex      sync.Mutex
	known      []client.Group
	ids        map[string]struct{}
}

func (l *groupList) all(ctx context.Context) ([]client.Group, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.ids != nil {
		return l.known, nil
	}
	known, err := l.northflank.Groups(ctx)
	if err != nil {
		return nil, err
	}
	l.known, l.ids = known, make(map[string]struct{}, len(known))
	for _, group := range known {
		l.ids[group.ID] = struct{}{}
	}
	return known, nil
}

// listed picks those of ids that exist.
func (l *groupList) listed(ctx context.Context, ids []string) ([]string, error) {
	if _, err := l.all(ctx); err != nil {
		return nil, err
	}
	var listed []string
	for _, id := range ids {
		if _, exists := l.ids[id]; exists {
			listed = append(listed, id)
		}
	}
	return listed, nil
}

// onlyID is what grants and entitlements need of a resource.
func onlyID(of *v2.Resource) *v2.Resource {
	return v2.Resource_builder{Id: of.GetId()}.Build()
}

// results is what a call returns besides rows.
func results(next string, limits *v2.RateLimitDescription) *resource.SyncOpResults {
	found := &resource.SyncOpResults{NextPageToken: next}
	if limits != nil {
		found.Annotations.WithRateLimiting(limits)
	}
	return found
}

func firstFilled(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// set adds what is known.
func set(profile map[string]any, key, value string) {
	if value != "" {
		profile[key] = value
	}
}

// list is a set of texts, in order.
func list(texts []string) []any {
	texts = slices.Compact(slices.Sorted(slices.Values(texts)))
	values := make([]any, len(texts))
	for index, text := range texts {
		values[index] = text
	}
	return values
}

func createdAt(text string) []resource.ResourceOption {
	time, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil
	}
	return []resource.ResourceOption{resource.WithResourceCreatedAt(time)}
}
