// A connector on an unmodified baton-sdk, with one user: what it does in service mode is what
// ConductorOne is used to.
package main

import (
	"context"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/annotations"
	"github.com/conductorone/baton-sdk/pkg/cli"
	"github.com/conductorone/baton-sdk/pkg/config"
	"github.com/conductorone/baton-sdk/pkg/connectorbuilder"
	"github.com/conductorone/baton-sdk/pkg/field"
	"github.com/conductorone/baton-sdk/pkg/types/resource"
	"github.com/spf13/viper"
)

var user = v2.ResourceType_builder{
	Id:          "user",
	DisplayName: "User",
	Traits:      []v2.ResourceType_Trait{v2.ResourceType_TRAIT_USER},
}.Build()

type connector struct{}

func (connector) Metadata(context.Context) (*v2.ConnectorMetadata, error) {
	return v2.ConnectorMetadata_builder{DisplayName: "Reference"}.Build(), nil
}

func (connector) Validate(context.Context) (annotations.Annotations, error) {
	return nil, nil
}

func (connector) ResourceSyncers(context.Context) []connectorbuilder.ResourceSyncerV2 {
	return []connectorbuilder.ResourceSyncerV2{users{}}
}

type users struct{}

func (users) ResourceType(context.Context) *v2.ResourceType { return user }

func (users) List(context.Context, *v2.ResourceId, resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	ada, err := resource.NewUserResource("Ada", user, "ada", nil)
	return []*v2.Resource{ada}, nil, err
}

func (users) Entitlements(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

func (users) Grants(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

func build(context.Context, *viper.Viper, *cli.ConnectorOpts) (connectorbuilder.ConnectorBuilderV2, []connectorbuilder.Opt, error) {
	return connector{}, nil, nil
}

func main() {
	config.RunConnector(context.Background(), "reference", "v0.0.0", field.NewConfiguration(nil), build)
}
