import { open } from "tailstone";
import * as keyval from "tailstone/keyval";
import { countVisits } from "./visits.js";

await countVisits(open, keyval);
