# The doors of the project; what is behind them stands in scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test setup lock bundle
export CITY DATA BUNDLE

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'make run CITY=lyon DATA=folder   a real city: lyon, monaco, koto, liechtenstein or a recipe of your own; and the folder of its data'

run: ## set up what is missing, then run the city (a made-up one by default) until Ctrl-C
	@scripts/setup.sh run
	@exec .venv/bin/twin run $${CITY:+--city "$$CITY"} $${DATA:+--data "$$DATA"}

test: ## set up what is missing, then check everything
	@scripts/setup.sh test
	@scripts/check.sh

setup: ## only set up, as for the tests
	@scripts/setup.sh test

lock: ## pin the packages that setup.cfg asks for; UPGRADE=1 takes the newest of each
	@scripts/lock.sh $(if $(UPGRADE),--upgrade)

bundle: ## one folder that installs on a bare Debian without a network; BUNDLE=folder (build/bundle)
	@scripts/setup.sh run
	@scripts/bundle.sh "$${BUNDLE:-build/bundle}"
