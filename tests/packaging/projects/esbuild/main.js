import { open } from "tailstone/inline";
import { countVisits } from "./visits.js";

await countVisits(open);
