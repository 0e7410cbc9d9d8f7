// Writes a sync file with two syncs, as a connector built on a baton-sdk from early 2025
// would: `write FILE`. The syncs differ in one of everything.
package main

import (
	"context"
	"fmt"
	"os"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/connectorstore"
	"github.com/conductorone/baton-sdk/pkg/dotc1z"
	"github.com/conductorone/baton-sdk/pkg/types/entitlement"
	"github.com/conductorone/baton-sdk/pkg/types/grant"
	"github.com/conductorone/baton-sdk/pkg/types/resource"
)

var (
	userType = &v2.ResourceType{Id: "user", DisplayName: "User", Traits: []v2.ResourceType_Trait{v2.ResourceType_TRAIT_USER}}
	teamType = &v2.ResourceType{Id: "team", DisplayName: "Team", Traits: []v2.ResourceType_Trait{v2.ResourceType_TRAIT_GROUP}}
)

// person is somebody as one of the syncs knows them; teams are those they are in.
type person struct {
	id, name string
	enabled  bool
	teams    []string
}

var syncs = [][]person{
	{
		{"ann", "Ann", true, []string{"red"}},
		{"bob", "Bob", true, []string{"red", "blue"}},
		{"cy", "Cy", true, []string{"blue"}},
	},
	{
		{"bob", "Robert", true, []string{"red"}},
		{"cy", "Cy", false, []string{"blue", "green"}},
		{"dee", "Dee", true, []string{"green"}},
	},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: write FILE")
		os.Exit(2)
	}
	if err := write(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(ctx context.Context, path string) error {
	file, err := dotc1z.NewC1ZFile(ctx, path)
	if err != nil {
		return err
	}
	for _, people := range syncs {
		if err := writeSync(ctx, file, people); err != nil {
			return err
		}
	}
	return file.Close()
}

func writeSync(ctx context.Context, file *dotc1z.C1File, people []person) error {
	if _, err := file.StartNewSync(ctx, connectorstore.SyncTypeFull, ""); err != nil {
		return err
	}
	if err := file.PutResourceTypes(ctx, userType, teamType); err != nil {
		return err
	}
	teams := map[string]*v2.Resource{}
	for _, person := range people {
		status := v2.UserTrait_Status_STATUS_ENABLED
		if !person.enabled {
			status = v2.UserTrait_Status_STATUS_DISABLED
		}
		profile := map[string]any{"name": person.name, "teams": len(person.teams)}
		user, err := resource.NewUserResource(person.name, userType, person.id, []resource.UserTraitOption{
			resource.WithStatus(status),
			resource.WithEmail(person.id+"@example.test", true),
			resource.WithUserProfile(profile),
		})
		if err != nil {
			return err
		}
		if err := file.PutResources(ctx, user); err != nil {
			return err
		}
		for _, name := range person.teams {
			team := teams[name]
			if team == nil {
				if team, err = resource.NewGroupResource(name, teamType, name, nil); err != nil {
					return err
				}
				teams[name] = team
				if err := file.PutResources(ctx, team); err != nil {
					return err
				}
				member := entitlement.NewAssignmentEntitlement(team, "member", entitlement.WithGrantableTo(userType))
				if err := file.PutEntitlements(ctx, member); err != nil {
					return err
				}
			}
			if err := file.PutGrants(ctx, grant.NewGrant(team, "member", user.GetId())); err != nil {
				return err
			}
		}
	}
	return file.EndSync(ctx)
}
