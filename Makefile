# Two commands do all: `make up` and `make test`. `make help` lists the others.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup up down test test-unit test-integration test-e2e test-molecule lint bench bench-publish lock

BIN := .venv/bin
SITE ?= site.yml

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install system packages and the locked Python environment
	@scripts/setup

up: ## Start the lab, run site.yml against it, and say where the product is
	@scripts/setup
	@scripts/up

down: ## End the lab and leave nothing behind
	@scripts/down

test: ## Set up everything and run every test
	@scripts/setup
	@scripts/test

test-unit: ## Run the fast tests
	@$(BIN)/pytest tests/unit

test-integration: ## Run the tests of the parts, on their own namespaces and servers
	@scripts/test tests/integration

test-molecule: ## Run the scenario of each role that configures hosts, on machines of a lab
	@scripts/test tests/molecule

test-e2e: ## Run the whole deployment's tests, on a lab of their own
	@scripts/test tests/e2e

lint: ## Check types, style, roles, YAML and shell scripts
	@scripts/lint

bench: bench-publish ## Run every benchmark

bench-publish: ## Compare publishing a site with s3_sync, the AWS CLI and s5cmd
	@$(BIN)/python bench/publish/run.py

lock: ## Resolve the dependencies again and write requirements.lock
	@scripts/lock
