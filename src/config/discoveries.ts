/** The service discoveries that Prometheus knows and this version does not do yet. */
import { refuse } from "./http-config.ts";
import type { FieldReaders } from "./yaml-node.ts";

const names = [
  "aws",
  "azure",
  "consul",
  "digitalocean",
  "dns",
  "docker",
  "dockerswarm",
  "ec2",
  "ecs",
  "elasticache",
  "eureka",
  "gce",
  "hetzner",
  "http",
  "ionos",
  "kubernetes",
  "kuma",
  "lightsail",
  "linode",
  "marathon",
  "msk",
  "nerve",
  "nomad",
  "oci",
  "openstack",
  "outscale",
  "ovhcloud",
  "puppetdb",
  "rds",
  "scaleway",
  "serverset",
  "stackit",
  "triton",
  "uyuni",
  "vultr",
];

export const otherDiscoveries: FieldReaders = Object.fromEntries(
  names.map((name) => [`${name}_sd_configs`, (node) => refuse(node, `service discovery by ${name}`)]),
);
