import { register } from "node:module";

register("./modules.js", import.meta.url);
