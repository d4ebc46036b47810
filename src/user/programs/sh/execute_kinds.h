// The executor's parts: one function a kind of node. execute.cpp calls them.
#pragma once

#include "user/programs/sh/node.h"

constexpr int cannot_execute = 126;

// execute.cpp
int execute_condition(const Shared<Node>& node);    // its failing is an answer, no error
// execute_control.cpp
int run_if(const Node& node);
int run_while(const Node& node, bool wanted);
int run_for(const Node& node);
int run_case(const Node& node);
// execute_jobs.cpp
int run_pipeline(const Node& node);
int run_background(const Node& node);
int run_subshell(const Node& node);
extern int captured_status;     // of the last $(...): of a command that is only assignments
