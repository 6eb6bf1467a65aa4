// How many threads are worth running here.
#pragma once

namespace ipai {

// Physical cores that this process may use: its affinity, without second threads of a core, within the
// control group's quota. At least 1.
int available_cores();

}  // namespace ipai
